// Package page is what an operator sees at /mpc/ of a node's API server: keys, running
// sessions, who will not sign what was asked for, peers, pools and recent faults. It only
// reads, has no assets from elsewhere, and works on a phone.
package page
