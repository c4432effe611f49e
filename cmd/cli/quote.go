package cli

import (
	"flag"
	"slices"
	"strings"
)

// Quote returns s as one word for the shell. It must not be the first word of a command.
func Quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=:,+@%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// CommandLine returns program followed by the flags that differ from their defaults, except for those named without.
func CommandLine(program string, f *flag.FlagSet, without ...string) string {
	line := program
	f.VisitAll(func(f *flag.Flag) {
		if value := f.Value.String(); value != f.DefValue && !slices.Contains(without, f.Name) {
			line += " -" + f.Name + "=" + Quote(value)
		}
	})
	return line
}
