// Package invalid builds nowhere.
package invalid

import "testing"

func TestInvalid(t *testing.T) { t.Frobnicate() }
