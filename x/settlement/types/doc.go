// Package types has the values of x/settlement with their rules: parameters, the call and
// the transaction that settle a batch, what a next attempt offers, and what more than two
// thirds of the power say.
package types
