// Package ops holds what operators put beside a node, and no code: alert rules, a
// dashboard, a systemd unit, a runbook, and in README.md how they are used, with a table of
// all metrics. Its tests hold them against what the program has: no rule and no panel asks
// for a metric or a label that is not there, and the runbook knows every alert and every
// reason.
package ops
