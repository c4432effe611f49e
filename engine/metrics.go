package engine

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are a server's Prometheus metrics.
type metrics struct {
	registerer    prometheus.Registerer // nil if nobody wants them
	registered    []prometheus.Collector
	saves         prometheus.Histogram
	entries       prometheus.Counter
	proposals     prometheus.Counter
	reads         prometheus.Histogram
	leaderChanges prometheus.Counter
	unreachable   prometheus.Counter
	snapshotsSent prometheus.Counter
}

func newMetrics(n *Node) (*metrics, error) {
	labels := prometheus.Labels{"cluster": n.config.Cluster, "server": strconv.Itoa(n.config.ID)}
	m := &metrics{registerer: n.config.Registerer}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "engine", Name: name, Help: help, ConstLabels: labels})
		m.registered = append(m.registered, c)
		return c
	}
	histogram := func(name, help string) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "engine", Name: name, Help: help, ConstLabels: labels,
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16),
		})
		m.registered = append(m.registered, h)
		return h
	}
	gauge := func(name, help string, value func() float64) {
		m.registered = append(m.registered, prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Namespace: "engine", Name: name, Help: help, ConstLabels: labels}, value))
	}
	m.saves = histogram("save_seconds", "Time to write and sync a batch of the log.")
	m.entries = counter("saved_entries_total", "Entries of the log that were saved.")
	m.proposals = counter("proposals_total", "Commands that Start has accepted.")
	m.reads = histogram("read_index_seconds", "Time from a call of ReadIndex to its answer.")
	m.leaderChanges = counter("leader_changes_total", "Changes of the leader that this server has seen.")
	m.unreachable = counter("unreachable_total", "Times that messages to a peer were lost.")
	m.snapshotsSent = counter("snapshots_sent_total", "Snapshots sent to peers, or tried.")
	gauge("term", "Current term.", func() float64 { return float64(n.view.Load().term) })
	gauge("is_leader", "1 on the leader, otherwise 0.", func() float64 {
		if _, leads := n.GetState(); leads {
			return 1
		}
		return 0
	})
	gauge("applied_index", "Index of the last command sent on applyCh.", func() float64 { return float64(n.sent.Load()) })
	gauge("log_bytes", "Size of the log's commands behind the last snapshot.", func() float64 { return float64(n.logBytes.Load()) })
	return m, m.register()
}

// register registers all metrics, or none if one cannot be.
func (m *metrics) register() error {
	if m.registerer == nil {
		return nil
	}
	for k, c := range m.registered {
		if err := m.registerer.Register(c); err != nil {
			m.registered = m.registered[:k]
			m.unregister()
			return err
		}
	}
	return nil
}

func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.registered {
		m.registerer.Unregister(c)
	}
}

// saved notes that entries were saved together.
func (m *metrics) saved(entries int, took time.Duration) {
	m.saves.Observe(took.Seconds())
	m.entries.Add(float64(entries))
}
