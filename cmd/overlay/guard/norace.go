//go:build !race

package guard

// Racing says that the race detector is on.
const Racing = false
