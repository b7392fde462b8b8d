package main

import "runtime/debug"

// number is voipd's version, here and nowhere else: "voipd --version", the
// packages and their file names take it from this line. CHANGELOG.md has what it
// brings.
const number = "0.9.0"

// version is the number, and behind it the commit of a build that is no release:
// "0.9.0+3acdc7b5", with "-dirty" where files were changed.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return number
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 8:
			commit = "+" + s.Value[:8]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if commit == "" {
		return number
	}
	return number + commit + dirty
}
