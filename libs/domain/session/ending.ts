/** Why a session ended (DESIGN §5). */
export type Reason =
  | 'logout'
  | 'user'
  | 'admin'
  | 'theft'
  | 'limit'
  | 'policy'
  | 'idle'
  | 'absolute'
  | 'account-disabled'
  | 'credential-changed'
  | 'scope'
  | 'context'
  | 'erased';

/** Who ended it. */
export type Initiator = 'user' | 'admin' | 'policy' | 'system';
