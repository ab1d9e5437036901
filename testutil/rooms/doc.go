// Package rooms holds the tests that keep the rooms of the project apart, and
// what only tests need out of all of them but testutil.
package rooms
