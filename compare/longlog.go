package main

import (
	"context"
	"runtime"
)

const (
	shortLog = 1_000  // entries in the log that the long one is compared with
	probe    = 50_000 // commands that are submitted to measure the ops/s at one length of the log

	bytesPerEntry = 11 // about the memory of an int in the log on one server
)

// longLog compares the speed of one cluster with a short log and with a long one.
type longLog struct {
	Servers       int     `json:"servers"`
	Entries       int     `json:"entries"`
	ShortOps      float64 `json:"ops_per_second_short"`
	LongOps       float64 `json:"ops_per_second_long"`
	Ratio         float64 `json:"ratio"`
	BytesPerEntry float64 `json:"heap_bytes_per_entry_per_server"`
}

func medianLong(all []longLog) longLog {
	return longLog{
		Servers:       all[0].Servers,
		Entries:       all[0].Entries,
		ShortOps:      pick(all, func(l longLog) float64 { return l.ShortOps }),
		LongOps:       pick(all, func(l longLog) float64 { return l.LongOps }),
		Ratio:         pick(all, func(l longLog) float64 { return l.Ratio }),
		BytesPerEntry: pick(all, func(l longLog) float64 { return l.BytesPerEntry }),
	}
}

// heapBytes returns the bytes in use after a full garbage collection.
func heapBytes() float64 {
	runtime.GC()
	runtime.GC() // the first collection only moves the contents of sync.Pools aside
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// measureLong measures the speed of one cluster with a short log, and then with a long one.
func measureLong(ctx context.Context, servers, entries int) (longLog, error) {
	l := longLog{Servers: servers, Entries: entries}
	empty := heapBytes()
	t, err := newTrial(ctx, servers)
	if err != nil {
		return l, err
	}
	defer t.ours.close()
	// The collector runs more often in a small heap. The ballast gives the heap with the short log the size of the other.
	ballast := make([]byte, entries*servers*bytesPerEntry)
	if err = t.extend(shortLog); err != nil {
		return l, err
	}
	if l.ShortOps, err = t.run(probe); err != nil {
		return l, err
	}
	runtime.KeepAlive(ballast)
	if err = t.extend(entries); err != nil {
		return l, err
	}
	l.BytesPerEntry = (heapBytes() - empty) / float64(entries*servers)
	l.LongOps, err = t.run(probe)
	l.Ratio = l.LongOps / l.ShortOps
	if err != nil {
		return l, err
	}
	return l, verify(ctx, t.machines, intCommand, t.issued)
}
