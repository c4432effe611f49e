package labrpc

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// With Reliable(false) and LongReordering(true) both have their effects: requests are delayed for a moment, a tenth of
// them and of the replies are lost, and two in three of the remaining replies are late.
func TestUnreliableAndLongReordering_probabilities(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.Reliable(false)
		rn.LongReordering(true)
		const n = 5000
		var succeeded, late, prompt int
		var lateSum time.Duration
		for range n {
			ok := false
			took := elapsed(func() { ok = handler2(t, end, 1) })
			switch {
			case !ok:
				if took >= SHORTDELAY*time.Millisecond {
					t.Errorf("a call took %v to fail", took)
				}
			case took < SHORTDELAY*time.Millisecond:
				prompt++
			case took < 200*time.Millisecond || took >= (2200+SHORTDELAY)*time.Millisecond:
				t.Errorf("a late reply took %v", took)
			default:
				late++
				lateSum += took
			}
		}
		succeeded = prompt + late
		// Standard deviations: 21 requests lost, 28 calls lost, 35 late, 6 ms of the mean.
		if served := rn.GetCount(0); served < 4350 || served > 4650 || served != js.served() {
			t.Errorf("%d of %d requests arrived (%d run), want about 4500", served, n, js.served())
		}
		if succeeded < 3850 || succeeded > 4250 {
			t.Errorf("%d of %d calls succeeded, want about 4050", succeeded, n)
		}
		if late < 2450 || late > 2950 {
			t.Fatalf("%d of %d replies were late, want about 2700", late, n)
		}
		// 13 ms before the request arrives, and 700 afterwards.
		if mean := lateSum / time.Duration(late); mean < 660*time.Millisecond || mean > 770*time.Millisecond {
			t.Errorf("late replies took %v on average, want about 713ms", mean)
		}
		if bytes := rn.GetTotalBytes(); bytes != int64(4*n+14*succeeded) {
			t.Errorf("%d bytes, want %d", bytes, 4*n+14*succeeded)
		}
	})
}

// Requests that are sent one after the other are served and answered in another order.
func TestUnreliableAndLongReordering_order(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.Reliable(false)
		rn.LongReordering(true)
		const n = 60
		var mu sync.Mutex
		var answered []int
		var calls sync.WaitGroup
		for i := range n {
			calls.Go(func() {
				if handler2(t, end, i) {
					mu.Lock()
					defer mu.Unlock()
					answered = append(answered, i)
				}
			})
			time.Sleep(time.Millisecond)
		}
		calls.Wait()
		if slices.IsSorted(js.log2) {
			t.Errorf("requests with delays of up to %d ms came in order: %v", SHORTDELAY-1, js.log2)
		}
		if len(answered) == 0 || slices.IsSorted(answered) {
			t.Errorf("replies came in order: %v", answered)
		}
		for _, i := range answered {
			if !slices.Contains(js.log2, i) {
				t.Errorf("call %d was answered but not served", i)
			}
		}
	})
}

// A reply that is late comes even if its end is disabled meanwhile; a request that is still delayed does not save its call.
func TestUnreliableAndLongReordering_disabled(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.Reliable(false)
		rn.LongReordering(true)
		const n = 200
		start := time.Now()
		results := make(chan bool, n)
		for range n {
			go func() { results <- handler2(t, end, 1) }()
		}
		time.Sleep(SHORTDELAY * time.Millisecond / 2)
		early := len(results)
		rn.Enable("end", false)
		time.Sleep(SHORTDELAY * time.Millisecond)
		returned, served := len(results), js.served()
		for len(results) < n {
			time.Sleep(100 * time.Millisecond)
		}
		succeeded := 0
		for range n {
			if <-results {
				succeeded++
			}
		}
		// About half of the requests have come by then, 54 of whose replies are late; all come in the end but a tenth.
		if late := n - returned; late < 20 || late > 90 || returned == early {
			t.Errorf("%d calls had returned when the end was disabled, %d then", early, returned)
		}
		if succeeded < n-returned || served < 150 {
			t.Errorf("%d calls returned true, %d were to come late; %d requests were served", succeeded, n-returned, served)
		}
		if took := time.Since(start); took > 2300*time.Millisecond {
			t.Errorf("all that took %v", took)
		}
	})
}
