/** A compressed flag and a length of four bytes stand before each message of gRPC over HTTP/2. */
const PREFIX = 5;

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX);
  return framed;
}

/**
 * Puts messages together from chunks of any size: takes a chunk, gives the messages that are complete with it. Holds one
 * message at most.
 * @param max bytes of a message at most.
 * @throws RangeError (the function that is returned) if a message is compressed or too long.
 */
export function frameReader(max: number): (chunk: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const messages: Buffer[] = [];
    while (rest.length >= PREFIX) {
      const end = PREFIX + rest.readUInt32BE(1);
      if (rest[0] !== 0 || end > PREFIX + max) throw new RangeError('compressed or too long');
      if (rest.length < end) break;
      messages.push(rest.subarray(PREFIX, end));
      rest = rest.subarray(end);
    }
    return messages;
  };
}
