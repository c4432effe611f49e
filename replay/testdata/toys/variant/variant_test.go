package variant

import (
	"fmt"
	"testing"
)

var end = ""

func TestWord(t *testing.T) { fmt.Println(word + end) }
