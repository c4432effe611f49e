package main

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// checkReportPath returns an error if a report cannot be written to path.
func checkReportPath(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path) // a rename would replace a device
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return checkWritable(filepath.Dir(path))
}

// checkWritable returns an error if files cannot be created in the directory.
func checkWritable(dir string) error {
	file, err := os.CreateTemp(dir, "go-test-many.*")
	if err != nil {
		return err
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// writeReports writes the files of -json and -junit.
func (r *runner) writeReports() error {
	return errors.Join(writeReport(r.json, r.writeJSON), writeReport(r.junit, r.writeJUnit))
}

// writeReport writes a file, so that path holds the old file or all of the new one.
func writeReport(path string, write func(w io.Writer) error) error {
	if path == "" {
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(file)
	err = errors.Join(write(buffer), buffer.Flush(), file.Close())
	if err == nil {
		err = os.Chmod(file.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return nil
}

// jsonReport is the form of the file of -json.
type jsonReport struct {
	Package   string    `json:"package"`
	Directory string    `json:"directory"`
	Flags     []string  `json:"flags"` // of the test binary
	Race      bool      `json:"race"`
	Begun     time.Time `json:"begun"`
	Seconds   float64   `json:"seconds"`
	Runs      int       `json:"runs"` // that were wanted
	Finished  int       `json:"finished"`
	Failed    int       `json:"failed"`
	Stopped   string    `json:"stopped,omitempty"` // why not all runs have finished
	Results   []jsonRun `json:"results"`
}

// jsonRun is a finished run.
type jsonRun struct {
	Run     int      `json:"run"`
	Passed  bool     `json:"passed"`
	Seconds float64  `json:"seconds"`
	Tests   []string `json:"tests,omitempty"` // that failed, or that were running when the process ended
	Kind    string   `json:"kind,omitempty"`  // such as "panic", "timeout" or "exit status 3"
	Reason  string   `json:"reason,omitempty"`
	Log     string   `json:"log,omitempty"`

	Pictures []string `json:"pictures,omitempty"` // pages that tests have written
}

func (r *runner) writeJSON(w io.Writer) error {
	report := jsonReport{Package: r.suite.path, Directory: r.suite.dir, Flags: r.testFlags, Race: r.suite.race, Begun: r.begun,
		Seconds: r.took.Seconds(), Runs: r.runs, Finished: len(r.results), Failed: r.failed, Stopped: r.stopped,
		Results: []jsonRun{}}
	for _, res := range r.results {
		run := jsonRun{Run: res.run, Passed: res.failure == nil, Seconds: res.took.Seconds()}
		if f := res.failure; f != nil {
			if res.log != "" {
				run.Log, _ = filepath.Abs(res.log)
			}
			run.Tests, run.Kind, run.Reason, run.Pictures = f.tests, f.kind, f.reason, f.pictures
		}
		report.Results = append(report.Results, run)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	return e.Encode(report)
}

// junitCase is a finished run as a test case of JUnit.
type junitCase struct {
	XMLName xml.Name      `xml:"testcase"`
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"` // package xml replaces what XML cannot hold; it would not in CDATA
}

// writeJUnit writes a test suite in which each finished run is a test case.
func (r *runner) writeJUnit(w io.Writer) error {
	e := xml.NewEncoder(w)
	e.Indent("", "\t")
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
	start := xml.StartElement{Name: xml.Name{Local: "testsuite"}}
	for _, a := range [][2]string{{"name", r.suite.path}, {"tests", fmt.Sprint(len(r.results))}, {"failures", fmt.Sprint(r.failed)},
		{"errors", "0"}, {"time", seconds(r.took)}, {"timestamp", r.begun.UTC().Format("2006-01-02T15:04:05")}} {
		start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: a[0]}, Value: a[1]})
	}
	all := xml.StartElement{Name: xml.Name{Local: "testsuites"}}
	_, err := io.WriteString(w, xml.Header)
	err = errors.Join(err, e.EncodeToken(all), e.EncodeToken(start))
	for _, res := range r.results {
		c := junitCase{Class: r.suite.path, Name: fmt.Sprint("run ", res.run), Time: seconds(res.took)}
		if f := res.failure; f != nil {
			c.Failure = &junitFailure{Message: strings.TrimSuffix(f.String()+": "+f.reason, ": "), Type: f.kind, Text: lastOutput(res.log)}
		}
		err = errors.Join(err, e.Encode(c))
	}
	err = errors.Join(err, e.EncodeToken(start.End()), e.EncodeToken(all.End()), e.Flush())
	_, newline := io.WriteString(w, "\n")
	return errors.Join(err, newline)
}

// lastOutput returns the name of a log and its end.
func lastOutput(log string) string {
	const most = 32 << 10
	file, err := os.Open(log)
	if err != nil {
		return "" // it was removed meanwhile, or could not be saved
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > most {
		file.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(io.LimitReader(file, most))
	return fmt.Sprintf("the end of %s:\n%s", log, text)
}
