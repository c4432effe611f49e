//go:build louder

package variant

func init() { end = "!" }
