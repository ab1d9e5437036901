package sim

import "time"

// slowDisk is what a node with a disk that takes its time does meanwhile: nothing. What
// comes waits, as in an engine's inbox, and a tick waits until that is done.
type slowDisk struct {
	until   time.Time
	waiting []func()
	// ticks: the clock ticked meanwhile, once or more often.
	ticks bool
}

// wrote lets the time of a write pass for the node.
func (n *Node) wrote() {
	if n.world.WriteCost > 0 && n.core != nil {
		n.world.now = n.world.now.Add(n.world.WriteCost)
		n.slow.until = n.world.now
	}
}

// busy: its disk is, or what came meanwhile is not done.
func (n *Node) busy() bool { return n.world.now.Before(n.slow.until) || len(n.slow.waiting) > 0 }

// turn is when the node's loop comes to something: at once, or when it has done what came
// before.
func (n *Node) turn(run func()) {
	if !n.busy() {
		run()
		return
	}
	n.slow.waiting = append(n.slow.waiting, run)
	if len(n.slow.waiting) == 1 {
		n.resumeLater()
	}
}

// tickWaits lets a tick come after what waits.
func (n *Node) tickWaits() {
	n.slow.ticks = true
	if len(n.slow.waiting) == 0 {
		n.resumeLater()
	}
}

func (n *Node) resumeLater() {
	life := n.life
	n.world.after(n.slow.until.Sub(n.world.now), func() {
		if n.listens() && n.life == life {
			n.resume()
		}
	})
}

// resume does what waits, until the disk is busy again.
func (n *Node) resume() {
	for len(n.slow.waiting) > 0 && !n.world.now.Before(n.slow.until) {
		run := n.slow.waiting[0]
		n.slow.waiting = n.slow.waiting[1:]
		run()
	}
	switch {
	case len(n.slow.waiting) > 0:
		n.resumeLater()
	case n.slow.ticks && !n.busy():
		n.slow.ticks = false
		n.ticking()
	}
}
