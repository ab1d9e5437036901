package tss
