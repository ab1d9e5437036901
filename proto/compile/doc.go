// Command compile is a small protoc: it compiles .proto files with
// bufbuild/protocompile and hands them to one plugin. It is a module of its own, so
// that nobody who imports the chain gets its dependencies. buf would do as well, but
// building it takes two minutes longer on a small machine.
//
//	compile -root proto -root third_party -plugin protoc-gen-x -opt a=b,c=d -out gen FILE...
//
// The plugin is run once for each directory of files.
package main
