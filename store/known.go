package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Known is what the PBX showed last of its endpoints and extensions.
type Known struct {
	Endpoints map[string]string // what each endpoint is, by name with technology
	Numbers   map[string]bool   // its extensions; nil: it did not say
	Rang      map[string]bool   // those that rang besides
}

// SetKnown keeps what the PBX showed in the place of what it showed before.
func (db GapList) SetKnown(ctx context.Context, k Known) error {
	return wrap("keep what the PBX shows of its endpoints", db.inTx(ctx, func(tx *sql.Tx) error {
		for _, table := range [...]string{"pbx_endpoints", "pbx_numbers"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table); err != nil {
				return err
			}
		}
		for name, class := range k.Endpoints {
			if _, err := tx.ExecContext(ctx, `INSERT INTO pbx_endpoints (name, class) VALUES (?, ?)`, name, class); err != nil {
				return err
			}
		}
		for rang, numbers := range [...]map[string]bool{k.Numbers, k.Rang} {
			for number := range numbers {
				if _, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO pbx_numbers (number, rang) VALUES (?, ?)`, number, rang); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// Known gives what SetKnown kept.
func (db GapList) Known(ctx context.Context) (k Known, err error) {
	k.Endpoints = map[string]string{}
	err = eachRow(ctx, db.reader, `SELECT name, class FROM pbx_endpoints`, nil, func(rows *sql.Rows) error {
		var name, class string
		err := rows.Scan(&name, &class)
		k.Endpoints[name] = class
		return err
	})
	if err != nil {
		return k, fmt.Errorf("read what the PBX showed of its endpoints: %w", err)
	}
	err = eachRow(ctx, db.reader, `SELECT number, rang FROM pbx_numbers`, nil, func(rows *sql.Rows) error {
		var number string
		var rang bool
		err := rows.Scan(&number, &rang)
		to := &k.Numbers
		if rang {
			to = &k.Rang
		}
		if *to == nil {
			*to = map[string]bool{}
		}
		(*to)[number] = true
		return err
	})
	if err != nil {
		return k, fmt.Errorf("read which extensions the PBX has: %w", err)
	}
	return k, nil
}
