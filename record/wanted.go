package record

import "maps"

// Half of what Asterisk sends is variables being set and dialplan being run
// that say nothing about a call. The translators of AMI and ARI leave those
// out, by the lists of this file.

// Variables is the set of channel variables whose setting becomes a
// [VariableSet] fact: those of every PBX, which name the file of a recording
// (MixMonitor), the number that was called from outside and whose phone it is that
// calls (FreePBX), and own,
// those of the configuration. Empty names are ignored. Asterisk's names are
// case-sensitive. The caller may change the map.
func Variables(own ...string) map[string]bool {
	all := map[string]bool{"MIXMONITOR_FILENAME": true, "FROM_DID": true, "__FROM_DID": true,
		"AMPUSER": true, "FROMEXTEN": true, "__FROMEXTEN": true}
	for _, name := range own {
		all[name] = true
	}
	maps.DeleteFunc(all, func(name string, _ bool) bool { return name == "" })
	return all
}

// Tells reports whether running a dialplan application says something about the
// channel's call, and so becomes an [Executed] fact. An application that is not
// listed here does: the Machine ignores one that it does not know, but keeps where
// the channel stands in the dialplan.
func Tells(application string) bool {
	switch application {
	case "Set", "MSet", "NoOp", "Verbose", "Log", "UserEvent", "ResetCDR", "SIPAddHeader", // sets and notes
		"GotoIf", "GosubIf", "ExecIf", "While", "EndWhile", "Return", "StackPop", "MacroExit", // jumps
		"AppDial", "AppDial2", "AppQueue": // no applications: what a dialled channel shows
		return false
	}
	return true
}
