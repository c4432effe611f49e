package guard

// Panicked, if it is set, is called with the reason of a panic in a goroutine of the student's, before the panic goes on.
var Panicked func(reason any)

// Panics is deferred in the functions that a goroutine begins with.
func Panics() {
	if reason := recover(); reason != nil {
		if Panicked != nil {
			Panicked(reason)
		}
		panic(reason)
	}
}
