package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func readJSON(t *testing.T, path string) (report jsonReport) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &report)
	}
	if err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return report
}

// junitReport is the form of the file of -junit, from the side of a reader.
type junitReport struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	} `xml:"testsuite"`
}

func readJUnit(t *testing.T, path string) (report junitReport) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = xml.Unmarshal(data, &report)
	}
	if err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return report
}

// Reports hold all runs, whatever the tests print.
func TestReports(t *testing.T) {
	dir := t.TempDir()
	o := options{json: filepath.Join(dir, "a.json"), junit: filepath.Join(dir, "a.xml")}
	if err := os.WriteFile(o.json, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr, logs := many(t, "-json", o.json, "-junit", o.junit, "3", "2", "TestWordsFails")
	if code != 1 {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	j := readJSON(t, o.json)
	if j.Package != "toy" || filepath.Base(j.Directory) != "toy" || j.Runs != 3 || j.Finished != 3 || j.Failed != 3 || j.Stopped != "" ||
		!slices.Contains(j.Flags, "-test.run=TestWordsFails") || len(j.Results) != 3 {
		t.Fatalf("JSON: %+v", j)
	}
	for i, r := range j.Results {
		if r.Run != i+1 || r.Passed || r.Seconds <= 0 || !slices.Equal(r.Tests, []string{"TestWordsFails"}) ||
			r.Reason != "nul \uFFFD ]]> <tag>" || filepath.Dir(r.Log) != logs {
			t.Errorf("JSON: %+v", r)
		}
	}
	x := readJUnit(t, o.junit)
	if len(x.Suites) != 1 || x.Suites[0].Name != "toy" || x.Suites[0].Tests != 3 || x.Suites[0].Failures != 3 || len(x.Suites[0].Cases) != 3 {
		t.Fatalf("JUnit: %+v", x)
	}
	for i, c := range x.Suites[0].Cases {
		if c.Class != "toy" || c.Name != "run "+string(rune('1'+i)) || c.Failure == nil ||
			c.Failure.Message != "TestWordsFails: nul \uFFFD ]]> <tag>" || !strings.Contains(c.Failure.Text, "not UTF-8 \uFFFD, end of CDATA ]]> and <tag>") {
			t.Errorf("JUnit: %+v %+v", c, c.Failure)
		}
	}
	if files, _ := os.ReadDir(dir); len(files) != 2 {
		t.Errorf("files are %v", files)
	}
}

// A report that cannot be written leaves the old file, and no other.
func TestReportFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("disk full")
	err := writeReport(path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return failure
	})
	if text, _ := os.ReadFile(path); !errors.Is(err, failure) || string(text) != "old" {
		t.Errorf("error %v, the file holds %q", err, text)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files are %v", files)
	}
}

// Of a long log the report shows the end.
func TestLastOutput(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("begin"+strings.Repeat("x", 1<<20)+"end"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := lastOutput(log); len(got) > 33<<10 || strings.Contains(got, "begin") || !strings.HasSuffix(got, "xend") {
		t.Errorf("%d bytes", len(got))
	}
}
