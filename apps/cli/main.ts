#!/usr/bin/env node
import { runCli } from './program.js';
import { terminalOf } from './terminal.js';

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  print: (text) => {
    console.log(text);
  },
  complain: (text) => {
    console.error(text);
  },
  ...terminalOf(process.stdin, process.stderr),
  onInterrupt: (callback) => {
    process.on('SIGINT', callback);
    return () => process.off('SIGINT', callback);
  },
});
