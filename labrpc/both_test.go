package labrpc

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// If the network is unreliable and has long reordering, both take effect: requests have short delays, a tenth of the
// requests and of the replies is lost, and two thirds of the other replies are late.
func TestUnreliableAndLongReordering_probabilities(t *testing.T) {
	inBubble(t, func(t *testing.T, rn *Network, js *JunkServer, end *ClientEnd) {
		rn.Reliable(false)
		rn.LongReordering(true)
		const n = 5000
		var succeeded, late, early int
		var lateSum time.Duration
		for range n {
			ok := false
			took := elapsed(func() { ok = handler2(t, end, 1) })
			switch {
			case !ok:
				if took >= SHORTDELAY*time.Millisecond {
					t.Errorf("a call failed after %v", took)
				}
			case took < SHORTDELAY*time.Millisecond:
				early++
			case took < 200*time.Millisecond || took >= (2200+SHORTDELAY)*time.Millisecond:
				t.Errorf("a late reply took %v", took)
			default:
				late++
				lateSum += took
			}
		}
		succeeded = early + late
		// Standard deviations: 21 requests lost, 28 calls lost, 35 late, 6 ms of the mean.
		if served := rn.GetCount(0); served < 4350 || served > 4650 || served != js.served() {
			t.Errorf("%d of %d requests were counted and %d were handled, want about 4500", served, n, js.served())
		}
		if succeeded < 3850 || succeeded > 4250 {
			t.Errorf("%d of %d calls succeeded, want about 4050", succeeded, n)
		}
		if late < 2450 || late > 2950 {
			t.Fatalf("%d of %d replies were late, want about 2700", late, n)
		}
		// 13 ms until the request arrives, and 700 ms until the reply does.
		if mean := lateSum / time.Duration(late); mean < 660*time.Millisecond || mean > 770*time.Millisecond {
			t.Errorf("late replies took %v on average, want about 713ms", mean)
		}
		if bytes := rn.GetTotalBytes(); bytes != int64(4*n+14*succeeded) {
			t.Errorf("%d bytes, want %d", bytes, 4*n+14*succeeded)
		}
	})
}

// Requests and replies arrive in another order than the requests were sent.
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
			t.Errorf("requests with delays of up to %d ms arrived in order: %v", SHORTDELAY-1, js.log2)
		}
		if len(answered) == 0 || slices.IsSorted(answered) {
			t.Errorf("replies arrived in order: %v", answered)
		}
		for _, i := range answered {
			if !slices.Contains(js.log2, i) {
				t.Errorf("call %d has a reply but was not handled", i)
			}
		}
	})
}

// After an end is disabled, late replies still arrive, but calls whose requests are still delayed fail.
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
		// About half of the requests have arrived by then; 54 of their replies are late. In the end all but a tenth arrive.
		if late := n - returned; late < 20 || late > 90 || returned == early {
			t.Errorf("%d calls returned before the end was disabled, and %d until %d ms later", early, returned, SHORTDELAY)
		}
		if succeeded < n-returned || served < 150 {
			t.Errorf("%d calls returned true, %d had late replies, %d requests were handled", succeeded, n-returned, served)
		}
		if took := time.Since(start); took > 2300*time.Millisecond {
			t.Errorf("the test took %v", took)
		}
	})
}
