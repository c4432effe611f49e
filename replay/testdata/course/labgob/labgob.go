// Package labgob stands for a course tree's labgob.
package labgob

// Register does nothing.
func Register(value interface{}) {}
