// Package nodeprogram runs the commands of a node as the program of some chain has them, for
// tests of what they print that cannot stand beside the commands.
package nodeprogram
