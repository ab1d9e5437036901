package doctor

import "github.com/sequencer-mpc/sequencer/mpc/types"

const (
	// diskFull is the least that a disk must have: the audit log may take 256 MiB, and a
	// compaction of the database writes what it holds once more.
	diskFull = 512 << 20
	// diskLow is worth a warning: blocks fill the rest within days.
	diskLow = 4 << 30
)

func examineDisks(r *Report, f Facts) {
	for _, d := range f.Files.Disks {
		switch {
		case d.Error != nil:
			r.advise("disk", Warning, "", "look at it yourself: df -h", "how much is free in %s cannot be found out: %v", d.Path, d.Error)
		case d.Free < diskFull:
			r.found("disk", Problem, types.ErrStorage, "%s has %s free; a node that cannot write takes no part", d.Path, size(d.Free))
		case d.Free < diskLow:
			r.found("disk", Warning, types.ErrStorage, "%s has %s free", d.Path, size(d.Free))
		default:
			r.ok("disk", "%s has %s free", d.Path, size(d.Free))
		}
	}
}
