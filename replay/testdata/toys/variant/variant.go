// Package variant prints which of its files were built.
package variant

const word = "original"
