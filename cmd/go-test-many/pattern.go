package main

import (
	"regexp"
	"strings"
)

// A pattern is a value of go test's flags -run and -skip: alternatives, each a list of expressions for a test, its
// subtest and so on.
type pattern [][]*regexp.Regexp

// parsePattern splits a pattern like package testing: at | and / outside of brackets.
func parsePattern(s string) (pattern, error) {
	p := pattern{nil}
	begin := 0
	add := func(end int) error {
		re, err := regexp.Compile(strings.ReplaceAll(s[begin:end], " ", "_"))
		p[len(p)-1] = append(p[len(p)-1], re)
		begin = end + 1
		return err
	}
	square, round := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '[':
			square++
		case c == ']':
			square = max(square-1, 0)
		case square > 0:
		case c == '(':
			round++
		case c == ')':
			round--
		case round == 0 && (c == '/' || c == '|'):
			if err := add(i); err != nil {
				return nil, err
			}
			if c == '|' {
				p = append(p, nil)
			}
		}
	}
	return p, add(len(s))
}

// begins reports whether -run with the pattern runs the test, though perhaps only some of its subtests.
func (p pattern) begins(test string) bool {
	for _, elements := range p {
		if elements[0].MatchString(test) {
			return true
		}
	}
	return false
}

// ends reports whether -skip with the pattern skips the test with all its subtests.
func (p pattern) ends(test string) bool {
	for _, elements := range p {
		if len(elements) == 1 && elements[0].MatchString(test) {
			return true
		}
	}
	return false
}
