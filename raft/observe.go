//go:build go1.25

package raft

// An observer is told what a server does, at the moment when it does it. Unlike an Observer, it gets the server itself. With
// one, the tests check the invariants of Figure 3 on every cluster. A server without an observer pays a nil check in each of
// these places. started, changed and saved are called with Raft.mu held, the others without it. An observer must not call
// the server. A panic in one of the server's goroutines does not end the process: the observer must report it.
type observer interface {
	started(rf *Raft)                           // the server has restored its saved state
	changed(rf *Raft)                           // its term, role, leader or commitIndex has changed
	saved(rf *Raft)                             // it has saved its state
	sending(rf *Raft, m Message, to int)        // it is about to send m
	answering(rf *Raft, m Message, reply Reply) // it is about to return the reply to m
	applying(rf *Raft, m ApplyMsg)              // it is about to send m on applyCh
	panicked(rf *Raft, reason any)              // one of its goroutines has panicked; the stack is still there
}

// withObserver sets the observer of a server.
func withObserver(o observer) Option {
	return func(options *options) { options.observer = o }
}

// observeStart also tells the Observer.
func (rf *Raft) observeStart() {
	rf.tellStartLocked()
	if o := rf.options.observer; o != nil {
		o.started(rf)
	}
}

func (rf *Raft) observeChangeLocked() {
	if o := rf.options.observer; o != nil {
		o.changed(rf)
	}
}

func (rf *Raft) observeSaveLocked() {
	if o := rf.options.observer; o != nil {
		o.saved(rf)
	}
}

func (rf *Raft) observeMessage(m Message, to int) {
	if o := rf.options.observer; o != nil {
		o.sending(rf, m, to)
	}
}

func (rf *Raft) observeReply(m Message, reply Reply) {
	if o := rf.options.observer; o != nil {
		o.answering(rf, m, reply)
	}
}

func (rf *Raft) observeApply(m *ApplyMsg) {
	if o := rf.options.observer; o != nil {
		o.applying(rf, *m)
	}
}

// observePanic is deferred by the server's goroutines. Without an observer, it lets the panic end the process.
func (rf *Raft) observePanic() {
	if o := rf.options.observer; o != nil {
		if reason := recover(); reason != nil {
			o.panicked(rf, reason)
		}
	}
}
