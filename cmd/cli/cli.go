// Package cli gives the commands of this repository one style of flags, help, errors and exit codes.
//
// A command describes itself with a [Command]. [Main] parses the command line, runs the command and chooses the exit code
// by the error:
//
//	0    no error, or a call for help with -h, -help or --help
//	1    any other error: the command ran and found a failure
//	2    an error of [Command.Parse], [Usagef] or [Unusable]: nothing ran
//	130  Ctrl-C; any other signal that stops the command gives 128 plus its number too
//
// Help goes to standard output. Errors go to standard error as "NAME: what is wrong". Flags are those of package flag.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Exit codes. A command that a signal stops exits with 128 plus the signal's number.
const (
	ExitOK     = 0
	ExitFailed = 1
	ExitUsage  = 2
)

// ErrFailed reports a failure that the command has already printed. It gives exit code 1 without a message.
var ErrFailed = errors.New("failed")

// A Command describes a command for its help text, which contains all these strings unchanged.
type Command struct {
	Name     string
	Summary  string // one line: what the command does
	Usage    string // the arguments, such as "[flags] [package]"
	About    string // what the summary leaves out: paragraphs without a newline at the end
	Examples string // one command a line
	OK       string // what exit code 0 means
	Failed   string // what exit code 1 means
	Unusable string // what exit code 2 means
}

// Flags returns an empty set of flags for Parse.
func (c *Command) Flags() *flag.FlagSet { return flag.NewFlagSet(c.Name, flag.ContinueOnError) }

// Parse parses args and returns the arguments that are not flags. Flags may come before, between and after them, but
// not after "--". A call for help is an error too; Main prints the help text for it.
func (c *Command) Parse(flags *flag.FlagSet, args []string) (others []string, err error) {
	flags.SetOutput(io.Discard)
	flags.Usage = nil
	for {
		switch err := flags.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			return nil, helpError{flags}
		case err != nil:
			return nil, usageError{err}
		case flags.NArg() == 0:
			return others, nil
		}
		if parsed := args[:len(args)-flags.NArg()]; len(parsed) > 0 && parsed[len(parsed)-1] == "--" {
			return append(others, flags.Args()...), nil
		}
		others = append(others, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// Main parses the process's arguments, runs the command c with the result and exits. The context of run ends with the first
// SIGINT, SIGTERM, SIGHUP or SIGPIPE. Then run must end its processes, remove its temporary files and return. A second
// SIGINT or SIGTERM ends the process.
func Main[Options any](c *Command, parse func(args []string) (Options, error),
	run func(ctx context.Context, o Options, stdout, stderr io.Writer) error) {
	ctx := untilSignal()
	o, err := parse(os.Args[1:])
	if err == nil {
		err = run(ctx, o, os.Stdout, os.Stderr)
	}
	var s stopped
	if errors.As(context.Cause(ctx), &s) {
		err = s
	}
	os.Exit(c.report(err, os.Stdout, os.Stderr))
}

// report prints what err has to say and returns the exit code.
func (c *Command) report(err error, stdout, stderr io.Writer) int {
	var help helpError
	var usage usageError
	switch {
	case errors.As(err, &help):
		io.WriteString(stdout, c.help(help.flags))
	case err != nil && !errors.Is(err, ErrFailed):
		fmt.Fprintf(stderr, "%s: %v\n", c.Name, err)
		if errors.As(err, &usage) {
			fmt.Fprintf(stderr, "Try '%s -h'.\n", c.Name)
		}
	}
	return ExitCode(err)
}

// ExitCode returns the exit code of a command that ends with err.
func ExitCode(err error) int {
	var help helpError
	var usage usageError
	var unusable unusableError
	var stop stopped
	switch {
	case err == nil || errors.As(err, &help):
		return ExitOK
	case errors.Is(err, ErrFailed):
		return ExitFailed
	case errors.As(err, &usage) || errors.As(err, &unusable):
		return ExitUsage
	case errors.As(err, &stop):
		return stop.code()
	}
	return ExitFailed
}

// help returns the help text, with the defaults of flags.
func (c *Command) help(flags *flag.FlagSet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nusage: %s %s\n\n%s\n\nflags:\n", c.Summary, c.Name, c.Usage, c.About)
	flags.SetOutput(&b)
	flags.PrintDefaults()
	fmt.Fprintf(&b, "\nexamples:\n  %s\n", strings.ReplaceAll(c.Examples, "\n", "\n  "))
	fmt.Fprintf(&b, "\nexit codes (go run turns each one but 0 into 1):\n  0    %s\n  1    %s\n  2    %s\n", c.OK, c.Failed, c.Unusable)
	b.WriteString("  129, 130, 141, 143\n       stopped by SIGHUP, SIGINT (Ctrl-C), SIGPIPE, SIGTERM\n")
	return b.String()
}

// Usagef returns an error about the command line: exit code 2, with a hint to -h.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Unusable marks err as the reason why nothing ran, such as an input that cannot be read: exit code 2. It returns nil if
// err is nil.
func Unusable(err error) error {
	if err == nil {
		return nil
	}
	return unusableError{err}
}

type (
	helpError     struct{ flags *flag.FlagSet }
	usageError    struct{ error }
	unusableError struct{ error }
)

func (helpError) Error() string { return flag.ErrHelp.Error() }

func (e usageError) Unwrap() error    { return e.error }
func (e unusableError) Unwrap() error { return e.error }

// Given reports whether the command line sets the flag.
func Given(flags *flag.FlagSet, name string) (set bool) {
	flags.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

// Needs returns an error if the command line sets one of the flags although the condition of their use, such as "-flat",
// does not hold.
func Needs(flags *flag.FlagSet, condition string, holds bool, names ...string) error {
	for _, name := range names {
		if !holds && Given(flags, name) {
			return Usagef("-%s needs %s", name, condition)
		}
	}
	return nil
}

// CheckFile returns an error if the file that a flag names cannot be created or replaced: exit code 2.
func CheckFile(name, file string) error {
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		return Unusable(fmt.Errorf("-%s: %s is not a regular file", name, file))
	}
	test, err := os.CreateTemp(filepath.Dir(file), ".cli-*")
	if err != nil {
		return Unusable(fmt.Errorf("-%s: %w", name, err))
	}
	test.Close()
	return Unusable(os.Remove(test.Name()))
}

// Count returns a number with its noun, such as "1 line" or "2 lines".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// IsTerminal reports whether w is a character device, as a terminal is.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
