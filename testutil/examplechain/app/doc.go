// Package app is the application of the example chain: accounts, coins, staking, the
// chain's own module checkpoint, and proposal handlers of its own.
package app
