// Package engine runs dynalite, the DynamoDB engine of one machine: a Node
// program in the repository's node_modules.
//
// It owns the program and where it is reached. The engine listens on loopback
// only; how its process lives and ends is the affair of package node. It makes the
// tables of a template in an engine; what is in them is not its business.
package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"partnerview/internal/dev/local/node"
)

// Engine is a running dynalite.
type Engine struct {
	*node.Process
	// Endpoint is its URL, as "http://127.0.0.1:41234".
	Endpoint string
}

// The program that Node runs. It prints its port when it serves. Its connections
// stay open while we keep ours: Node would close an idle one after five seconds,
// now and then under a request. dynalite throws when a client goes away in the
// middle of a request, as one that is ended does; any other error ends it.
const program = `
const [path, port] = process.argv.slice(1)
const server = require('dynalite')({path: path || undefined, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0})
server.keepAliveTimeout = 0
process.on('uncaughtException', error => { if (error.code !== 'ECONNRESET') { console.error(error); process.exit(1) } })
server.on('error', error => { console.error(error.message); process.exit(1) })
server.listen(+port, '127.0.0.1', () => console.log(server.address().port))
const end = () => { server.close(() => process.exit(0)); setTimeout(() => process.exit(0), 1000).unref() }
process.stdin.on('end', end).on('error', end).resume()
`

// The ways out of what can be missing. They are one line each: they are shown
// as they are.
var (
	errNoNode = errors.New("dynalite, the DynamoDB engine of this machine, needs Node, which is not installed: " +
		"install Node 20 or later, or set DYNAMODB_ENDPOINT to an engine that runs already")
	errNoDynalite = errors.New("dynalite, the DynamoDB engine of this machine, is not installed: " +
		"run npm ci, or set DYNAMODB_ENDPOINT to an engine that runs already")
)

// Start runs an engine and returns when it serves. root is the folder of
// node_modules. Its tables are kept in the folder path, or in memory if that is
// empty. port 0 takes a free one. ctx bounds the start only.
func Start(ctx context.Context, root, path string, port int) (*Engine, error) {
	process, err := node.Start(ctx, root, node.Program{
		Name: "the DynamoDB engine (dynalite)", Source: program, Args: []string{path, strconv.Itoa(port)},
		NoNode: errNoNode, NoLibrary: errNoDynalite,
	})
	if err != nil {
		return nil, err
	}
	if _, err := strconv.Atoi(process.Line); err != nil {
		process.Stop()
		return nil, fmt.Errorf("the DynamoDB engine (dynalite) tells %q in place of its port", process.Line)
	}
	return &Engine{process, "http://127.0.0.1:" + process.Line}, nil
}
