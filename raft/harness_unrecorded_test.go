//go:build unrecorded

package raft

// What takes the place of harness_picture_test.go and its neighbours in a course tree, which has no package picture: nothing
// is recorded.

import (
	"testing"

	"6.824/labrpc"
)

const noLane = -1

type recording struct{}

func newRecording(testing.TB, int) *recording              { return nil }
func (*recording) step(string, ...any)                     {}
func (*recording) violation(string, int, int, int, string) {}
func (*recording) failure(string)                          {}
func (*recording) hasFailed() bool                         { return false }
func (*recording) started(int, []string, *labrpc.Network)  {}
func (*recording) crashing(int)                            {}
func (*recording) observer(int) Observer                   { return nil }
func (*recording) testing(t testing.TB) testing.TB         { return t }
func (*recording) line(string, bool) string                { return "" }
func (*recording) show(testing.TB)                         {}
func checkFailurePage(*testing.T, string, string)          {}
func (walk) recorded(testing.TB) *recording                { return nil }
func preparePictures() error                               { return nil }
func shortly(any) string                                   { return "" }
func checkScenarioPage(*testing.T, string, string, string) {}

type sceneRecording struct{ *recording }

func recordScene(testing.TB, int) *sceneRecording { return &sceneRecording{} }
func (*sceneRecording) option(int) Option         { return func(*options) {} }
