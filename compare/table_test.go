package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// threeRounds returns a sample of an engine for each round.
func threeRounds(w workload, engine string, figures ...float64) []sample {
	var samples []sample
	for round, f := range figures {
		s := sample{Round: round, Servers: 3, Workload: w.name, Engine: engine, Ops: f}
		if w.latency {
			s.P50, s.P99 = time.Duration(f), time.Duration(10*f)
		}
		samples = append(samples, s)
	}
	return samples
}

func testPlan() (plan, []sample) {
	p := plan{servers: []int{3}, rounds: 3, engines: engines[:3], workloads: workloads}
	var samples []sample
	add := func(w workload, engine string, figures ...float64) {
		samples = append(samples, threeRounds(w, engine, figures...)...)
	}
	latency, ints, strs, kv := workloads[0], workloads[1], workloads[2], workloads[3]
	add(latency, "ours", 4000, 5000, 6000)
	add(latency, "etcd", 10000, 10000, 10000)
	add(latency, "hashicorp", 20000, 20000, 20000)
	add(ints, "ours", 400, 200, 300)
	add(ints, "etcd", 100, 100, 50)
	add(ints, "hashicorp", 20, 20, 20)
	add(strs, "ours", 300, 300, 300)
	add(strs, "etcd", 10, 10, 10)
	add(strs, "hashicorp", 100, 100, 100)
	add(kv, "ours", 120, 120, 120)
	add(kv, "etcd", 100, 100, 100)
	add(kv, "hashicorp", 100, 100, 100)
	return p, samples
}

func TestSummarize_ratioToTheFastest(t *testing.T) {
	rows := summarize(testPlan())
	for i, want := range []struct {
		fastest            string
		ratio, least, most float64
	}{
		{"etcd", 0.5, 0.4, 0.6},
		{"etcd", 4, 2, 6}, // rounds: 4, 2, 6
		{"hashicorp", 3, 3, 3},
		{"etcd", 1.2, 1.2, 1.2},
	} {
		r := rows[i]
		if r.Fastest != want.fastest || r.Ratios[r.Fastest] != want.ratio || r.Lowest != want.least || r.Highest != want.most {
			t.Errorf("%s: %v of %s, %v to %v; want %+v", r.Workload, r.Ratios[r.Fastest], r.Fastest, r.Lowest, r.Highest, want)
		}
	}
}

func TestPrintTable(t *testing.T) {
	p, samples := testPlan()
	var out bytes.Buffer
	if err := printTable(&out, p, summarize(p, samples)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"servers workload ours etcd hashicorp ratio to the fastest lowest and highest round",
		"3 one at a time p50 5µs, p99 50µs p50 10µs, p99 100µs p50 20µs, p99 200µs 0.50 of etcd 0.40 to 0.60",
		"3 256 outstanding, ints 300 ops/s 100 ops/s 20 ops/s 4.00 of etcd 2.00 to 6.00",
		"3 256 outstanding, 1000 bytes 300 ops/s 10 ops/s 100 ops/s 3.00 of hashicorp 3.00 to 3.00",
		"3 256 outstanding, kv struct 120 ops/s 100 ops/s 100 ops/s 1.20 of etcd 1.20 to 1.20",
		"ours, 3 servers: ops/s of kv structs are 0.40 of those of ints",
	} {
		line := strings.Join(strings.Fields(strings.Split(out.String(), "\n")[i]), " ")
		if line != want {
			t.Errorf("line %d:\n got %s\nwant %s", i, line, want)
		}
	}
}

func TestPrintTable_oneEngineHasNoRatio(t *testing.T) {
	p, samples := testPlan()
	p.engines = p.engines[1:2]
	var out bytes.Buffer
	if err := printTable(&out, p, summarize(p, samples)); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, " of ") || strings.Contains(s, "ratio") {
		t.Errorf("a table of one engine compares:\n%s", s)
	}
}

func TestPrintJSON(t *testing.T) {
	p, samples := testPlan()
	var out bytes.Buffer
	if err := printJSON(&out, report{Rows: summarize(p, samples), Samples: samples}); err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Rows) != 4 || len(back.Samples) != len(samples) || back.Rows[1].Ratios["etcd"] != 4 {
		t.Errorf("read back %d rows and %d samples, ratio %v", len(back.Rows), len(back.Samples), back.Rows[1].Ratios["etcd"])
	}
}
