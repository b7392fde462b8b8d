package main

import (
	"context"
	"errors"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/store"
)

// readStore calls f with the configuration's store, which is only read.
func readStore(ctx context.Context, path string, f func(*store.DB) error) error {
	conf, err := config.Read(path)
	if err != nil {
		return err
	}
	db, err := store.OpenReadOnly(ctx, conf.Store.Path)
	if err != nil {
		return err
	}
	return errors.Join(f(db), db.Close())
}

// writeStore calls f with the configuration's store. who is the command.
func writeStore(ctx context.Context, path, who string, f func(*store.DB) error) error {
	conf, err := config.Read(path)
	if err != nil {
		return err
	}
	db, closeDB, err := openToWrite(ctx, conf.Store.Path, who)
	if err != nil {
		return err
	}
	return errors.Join(f(db), closeDB())
}

// openToWrite opens a database to write it beside voipd serve. Where that does
// not run, it is kept from starting until closeDB is called: it would move a
// damaged database aside.
func openToWrite(ctx context.Context, database, who string) (db *store.DB, closeDB func() error, err error) {
	lock, err := store.Use(database, who)
	if err != nil {
		return nil, nil, err
	}
	if db, err = store.Open(ctx, database); err != nil {
		return nil, nil, errors.Join(err, lock.Unlock())
	}
	return db, func() error { return errors.Join(db.Close(), lock.Unlock()) }, nil
}
