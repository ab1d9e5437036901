// Package nodehome makes and looks into homes of nodes, for tests of the commands
// that work on them.
package nodehome
