package browser

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"6.824/picture"
)

// A word is a text on the canvas: its left edge, its middle and its width.
type word struct {
	Words       string
	X, Y, Width float64
}

// drawn returns the texts and the oblique or level lines, from x, y to x, y, of a frame.
func (b *tab) drawn() (words []word, lines [][4]float64) {
	b.Helper()
	type frame struct {
		Words []word
		Lines [][4]float64
	}
	f := eval[frame](b, `(async () => {
		const pen = CanvasRenderingContext2D.prototype, { fillText, moveTo, lineTo } = pen, Words = [], Lines = [];
		let x, y;
		for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame);
		pen.fillText = function (words, left, middle) {
			const Width = this.measureText(words).width;
			Words.push({ Words: words, X: this.textAlign === "right" ? left - Width : left, Y: middle, Width });
			fillText.apply(this, arguments);
		};
		pen.moveTo = function (a, b) { [x, y] = [a, b]; moveTo.apply(this, arguments); };
		pen.lineTo = function (a, b) { Lines.push([x, y, a, b]); lineTo.apply(this, arguments); };
		document.getElementById("picture").dispatchEvent(new WheelEvent("wheel", { deltaY: 0, cancelable: true }));
		await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
		Object.assign(pen, { fillText, moveTo, lineTo });
		return { Words, Lines };
	})()`)
	return f.Words, f.Lines
}

// find returns the texts that contain one of these.
func find(words []word, texts ...string) (found []word) {
	for _, w := range words {
		for _, text := range texts {
			if strings.Contains(w.Words, text) {
				found = append(found, w)
				break
			}
		}
	}
	return found
}

// Counts of folded events, steps and gaps have columns of their own; nothing is written over anything else.
func TestDrawing(t *testing.T) {
	r := tellLate(t)
	for _, size := range []look{{}, {width: 1920, height: 1080, theme: "dark"}, {width: 390, height: 844}} {
		name := fmt.Sprintf("%d × %d", size.width, size.height)
		b := open(t, r.file, size)
		for _, past := range []bool{true, false} {
			if !past {
				eval[bool](b, `document.getElementById("past").click() || true`)
			}
			eval[bool](b, "picture.select(%d, true, true) || true", r.second)
			words, lines := b.drawn()
			gutter := eval[float64](b, "picture.view.gutter")
			margin := find(words, "⋯", "▷")
			if past && len(find(words, "⋯")) == 0 || !past && len(find(words, "▷")) == 0 {
				t.Errorf("%s: no fold or no step is drawn", name)
			}
			for _, w := range margin {
				if w.X+w.Width > gutter {
					t.Errorf("%s: %q reaches from the margin into the lanes", name, w.Words)
				}
			}
			// A gap is one number for all that lies between two rows, with whatever is folded there.
			if past {
				if gaps := find(words, "· "); len(gaps) != 2 || gaps[0].Words != "· 892 ms ·" || gaps[1].Words != "· 443 ms ·" {
					t.Errorf("%s: the gaps are %v", name, gaps)
				}
			}
			number := regexp.MustCompile(`^\d+$`) // a term in its band, over which a label may reach
			for i, w := range words {
				for _, other := range words[:i] {
					apart := math.Abs(w.Y-other.Y) >= 9 || w.X+w.Width <= other.X || other.X+other.Width <= w.X
					if !apart && !number.MatchString(w.Words) && !number.MatchString(other.Words) && w.Y > 42 {
						t.Errorf("%s: %q and %q are at one place", name, w.Words, other.Words)
					}
				}
			}
			folds := eval[[]float64](b, `Array.from({ length: picture.rows.count }, (_, row) => row).filter((row) => picture.rows.size[row] > 1)
				.map((row) => picture.whereIs(picture.rows.event[row]).y)`)
			for _, l := range lines {
				for _, y := range folds {
					if l[1] == y && l[3] == y && math.Abs(l[0]-l[2]) > 40 {
						t.Errorf("%s: a line lies on that of folded events at %v", name, y)
					}
				}
			}
		}
		if size.width == 390 {
			continue // its labels are cut
		}
		words, _ := b.drawn()
		if len(find(words, "the reply is of term 2, but server 0 is in term 3")) != 1 {
			t.Errorf("%s: the end of the call has no label", name)
		}
		// The label of the violation stands above its line, in a row that is higher than others.
		label, y := find(words, "✗ two votes in one term"), b.canvasY(r.broken)
		if len(label) != 1 || label[0].Y > y-8 || label[0].Y < y-30 {
			t.Errorf("%s: the violation at %v has the labels %v", name, y, label)
		}
	}
}

// canvasY returns the height of an event on the canvas.
func (b *tab) canvasY(event int) float64 {
	b.Helper()
	return eval[float64](b, "picture.whereIs(%d).y", event)
}

// Nine lanes fit into a window of 1280 pixels, with their whole names. A page opens at the operation that a violation is about.
func TestManyLanes(t *testing.T) {
	s := newScript("many lanes", 5)
	for k := range 4 {
		s.Lane(fmt.Sprint("client ", k), true)
	}
	s.begin(5)
	s.do(picture.Event{Kind: picture.Invoke, Lane: 8, Call: -1, Text: "get x"})
	end := s.do(picture.Event{Kind: picture.Return, Lane: 8, Call: -1, Text: "y", OK: true})
	s.heartbeats(5)
	s.do(picture.Event{Kind: picture.Violation, Lane: 8, Call: -1, Name: "not linearizable", Text: "get x returned y"})
	file := s.page(t)
	for _, size := range []look{{width: 1280}, {width: 390, height: 844}} {
		b := open(t, file, size)
		b.selected(end)
		words, _ := b.drawn()
		left, right := eval[float64](b, "picture.view.gutter"), eval[float64](b, "picture.view.width")
		names := find(words, "server 0", "server 4", "client 0", "client 3")
		for _, name := range names {
			if size.width == 1280 && (name.X < left || name.X+name.Width > right) {
				t.Errorf("%q reaches from %.0f to %.0f, out of %.0f to %.0f pixels", name.Words, name.X, name.X+name.Width, left, right)
			}
		}
		if size.width == 1280 && len(names) != 4 {
			t.Errorf("the names of lanes are %v", names)
		}
		if result := find(words, "✓ y"); len(result) != 1 || result[0].X < 0 || result[0].X+result[0].Width > right {
			t.Errorf("%d: the result of the operation is at %v, out of %.0f pixels", size.width, result, right)
		}
		b.expect("banner", "not linearizable", "get x returned y")
	}
}

// Texts can be read: their contrast, their size in a wide window, and colours that tell terms apart.
func TestLegible(t *testing.T) {
	r := tellLate(t)
	sizes := map[int64]float64{}
	for _, size := range []look{{width: 1280}, {width: 1920, height: 1080, theme: "dark"}, {width: 2560, height: 1440}} {
		b := open(t, r.file, size)
		for _, problem := range eval[[]string](b, `(() => {
			const style = getComputedStyle(document.documentElement), problems = [];
			const rgb = (name) => style.getPropertyValue("--" + name).trim().match(/[0-9a-f]{2}/g).map((part) => parseInt(part, 16) / 255);
			const light = (name) => rgb(name).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4).reduce((sum, c, k) => sum + c * [.2126, .7152, .0722][k], 0);
			const contrast = (a, b) => (Math.max(light(a), light(b)) + .05) / (Math.min(light(a), light(b)) + .05);
			const terms = Array.from({ length: 10 }, (_, k) => "t" + k);
			for (const name of ["ink", "soft", "accent", "bad", "good", "cut", "m0", "m1", "m2", "m3", ...terms]) {
				for (const back of ["back", "panel"]) if (contrast(name, back) < 4.5) problems.push(name + " on " + back + ": " + contrast(name, back));
			}
			const apart = (a, b) => Math.hypot(...rgb(a).map((c, k) => c - rgb(b)[k]));
			for (const a of [...terms, "cut"]) for (const b of terms) if (a !== b && apart(a, b) < .12) problems.push(a + " looks like " + b);
			return problems;
		})()`) {
			t.Errorf("%d: %s", size.width, problem)
		}
		sizes[size.width] = eval[float64](b, `parseFloat(getComputedStyle(document.getElementById("title")).fontSize)`)
		b.expect("signs", "message", "led to it", "5/1 = index/term")
		if !eval[bool](b, `document.getElementById("signs").getBoundingClientRect().bottom <= innerHeight`) {
			t.Error("the legend is out of sight")
		}
	}
	if !(sizes[1280] < sizes[1920] && sizes[1920] < sizes[2560]) {
		t.Errorf("the sizes of the title are %v", sizes)
	}
}
