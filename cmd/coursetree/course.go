package coursetree

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// AdapterName is the file with which use-in-course connects the library with a tree.
const AdapterName = "course_tree.go"

// courseNames are names that the course's files of package raft declare. A file stays if it declares one of them, or a
// method of one.
var courseNames = []string{
	"make_config", "config", "Persister", "DPrintf", // up to 2024
	"makeTest", "Test", "newRfsrv", "rfsrv", "NewRfsrv", "Itester", // from 2025 on
	"Rfproxy", "TesterProxy", "IraftServer", "raftServer", // from 2026 on
	"StartArgs", "GetStateArgs", "CheckLogsArgs", "IngestLogArgs", "ApplyErrArgs",
}

// LabTest matches the names of the lab's tests and finds the part.
var LabTest = regexp.MustCompile(`^Test\w*[23]([ABCD])$`)

// IsCourse reports whether f, a file of package raft, is the course's.
func (f *File) IsCourse() bool {
	if f.Names["Raft"] || f.Names["Make"] || path.Base(f.Name) == AdapterName {
		return false // adapterName: ours, from an installation whose backup is gone
	}
	for name := range f.Names {
		if strings.HasPrefix(name, "Raft.") {
			return false
		}
	}
	for name := range f.Names {
		base, _, _ := strings.Cut(name, ".")
		if f.IsTest() && LabTest.MatchString(name) || slices.Contains(courseNames, base) {
			return true
		}
	}
	return false
}

// IsExtra reports whether the course's tests can do without f, which IsCourse: it has nothing of the course but DPrintf and
// Debug, or it is not the course's file of tests.
func (f *File) IsExtra() bool {
	if f.IsTest() {
		return !slices.Contains([]string{"test_test.go", "raft_test.go"}, path.Base(f.Name))
	}
	return f.Names["DPrintf"] && !slices.ContainsFunc(courseNames, func(n string) bool { return n != "DPrintf" && f.Names[n] })
}

// Clashes returns the names that both f and the library declare.
func Clashes(f *File, library []*File) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(f.Names)) {
		if Declares(library, name) {
			names = append(names, name)
		}
	}
	return names
}

// Needs returns the names that f uses and that only those files declare that are neither kept nor the library's.
func (f *File) Needs(files, kept, library []*File) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(f.Uses)) {
		adapted := slices.Contains([]string{"DPrintf", "Debug", "ApplyMsg", "Persister"}, name)
		if !adapted && Declares(files, name) && !Declares(kept, name) && !Declares(library, name) {
			names = append(names, name)
		}
	}
	return names
}
