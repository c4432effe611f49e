//go:build go1.25

package raft

// An observer is told what a server does while it does it: the tests check with one, on every cluster, what must always
// hold (Figure 3). A server without one pays a nil check at each of these places. started, changed and saved are called
// with Raft.mu held, the others without it; none may call the server back.
type observer interface {
	started(rf *Raft)                           // its state is what its disk had
	changed(rf *Raft)                           // its term, role, leader or commitIndex did
	saved(rf *Raft)                             // its Persister has just taken something
	sending(rf *Raft, m Message, to int)        // m is about to leave
	answering(rf *Raft, m Message, reply Reply) // the reply to m is about to leave
	applying(rf *Raft, m ApplyMsg)              // m is about to go to applyCh
}

func withObserver(o observer) Option {
	return func(options *options) { options.observer = o }
}

func (rf *Raft) observeStart() {
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
