package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"6.824/cmd/cli"
)

// runner runs seeds in workers and prints the results.
type runner struct {
	opts           *options
	plan           *plan
	stdout, stderr io.Writer
}

// verdict is the result of a seed: of one run, or of two with -check.
type verdict struct {
	*result
	output  *tail
	differs string // how the second run of -check differed, or ""
}

func (v *verdict) passed() bool { return v.result.passed() && v.differs == "" }

// slot runs one seed at a time in its own worker.
type slot struct {
	r *runner
	c *child
}

func (s *slot) close() {
	if s.c != nil {
		s.c.kill()
	}
}

// run runs a seed, and with -check a second time. The output of the first run also goes to out.
func (s *slot) run(ctx context.Context, seed uint64, out io.Writer) (*verdict, error) {
	v := &verdict{output: &tail{}}
	var err error
	if v.result, err = s.once(ctx, seed, io.MultiWriter(out, v.output)); err != nil || !s.r.opts.check || v.late {
		return v, err
	}
	again := &tail{}
	second, err := s.once(ctx, seed, again)
	if err != nil {
		return v, err
	}
	v.wall += second.wall
	v.differs = difference(v.result, second, bytes.Equal(v.output.kept, again.kept))
	return v, nil
}

// once runs a seed. It starts a worker if the slot has none.
func (s *slot) once(ctx context.Context, seed uint64, out io.Writer) (*result, error) {
	if s.c == nil {
		c, err := startChild(ctx, s.r.plan)
		if err != nil {
			return nil, err
		}
		s.c = c
	}
	tests := newTestOutput(out, s.r.opts.verbose)
	res, err := s.c.run(ctx, seed, s.r.opts.timeout, tests)
	tests.flush()
	if err != nil || res.late {
		s.c = nil
	}
	if err == nil {
		res.began = tests.began
	}
	return res, err
}

// difference describes how two runs of one seed differ. It returns "" if they do not.
func difference(a, b *result, sameOutput bool) string {
	switch {
	case b.late:
		return "the second run did not end"
	case a.Digest == b.Digest && a.Status.Readings == b.Status.Readings && a.Code == b.Code:
		return ""
	case !sameOutput:
		return "different output"
	case a.Status.Readings != b.Status.Readings:
		return fmt.Sprintf("%d clock calls, then %d", a.Status.Readings, b.Status.Readings)
	}
	return "same output, but different clock calls, random bytes or scheduling"
}

// one runs the seed of -seed. Standard output gets only the tests' output.
func (r *runner) one(ctx context.Context) error {
	s := &slot{r: r}
	defer s.close()
	v, err := s.run(ctx, r.opts.seeds.first, r.stdout)
	if err != nil {
		return err
	}
	if err := v.unusable(); err != nil {
		return cli.Unusable(err)
	}
	fmt.Fprintf(r.stderr, "replay: %v\n", v)
	if r.opts.check && v.differs == "" && !v.late {
		fmt.Fprintf(r.stderr, "replay: the second run had the same output, clock calls, random bytes and scheduling\n")
	}
	for _, h := range v.hints(r.opts) {
		fmt.Fprintf(r.stderr, "replay: %s\n", h)
	}
	if v.Page != "" {
		fmt.Fprintf(r.stderr, "replay: -picture: %s\n", v.Page)
	} else if r.opts.picture != "" {
		fmt.Fprintf(r.stderr, "replay: -picture: no page: the run did not end\n")
	}
	if v.passed() {
		return nil
	}
	return cli.ErrFailed
}

// String returns the verdict on one line.
func (v *verdict) String() string {
	word := "failed"
	if v.passed() {
		word = "passed"
	}
	line := fmt.Sprintf("seed %d %s in %v: %v of virtual time, %d clock calls, %d preemptions", v.seed, word,
		v.wall.Round(msec), v.Status.Virtual.Round(time.Microsecond), v.Status.Readings, v.Status.Preempts)
	if v.late {
		return line
	}
	return line + fmt.Sprintf("; digest %x, schedule %016x", v.Digest[:8], v.Order)
}

// tail keeps at least the last maxTail bytes that are written to it.
type tail struct {
	kept []byte
	lost int64 // bytes before kept
}

const maxTail = 1 << 20

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if extra := len(t.kept) - maxTail; extra > maxTail {
		t.kept = append(t.kept[:0], t.kept[extra:]...)
		t.lost += int64(extra)
	}
	return len(p), nil
}
