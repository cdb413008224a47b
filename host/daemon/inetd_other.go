//go:build !unix

package daemon

// session is for inetd mode, which this system has not; start refuses it.
func (d *daemon) session() int { return 1 }

func (d *daemon) answersPeer() bool { return false }

func (d *daemon) settleStderr() {}
