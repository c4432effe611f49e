//go:build race

package guard

// Racing says that the race detector is on. Whatever orders the goroutines of a test hides races from it, so the list of all
// holds is not kept then.
const Racing = true
