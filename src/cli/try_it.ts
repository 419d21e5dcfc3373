import { mintMacaroon } from '../macaroon/mint.js';

/** What ready-made commands need to know. */
export interface TryItOptions {
  readonly relayUrl: string;
  readonly receiverUrl: string;
  readonly secret: string;
  readonly name: string;
}

/** Lines to paste into a shell, for whoever has just started `serve --dev`: submit, poll, long poll. */
export function tryItLines({ relayUrl, receiverUrl, secret, name }: TryItOptions): string {
  const minted = mintMacaroon({ secret, identifier: '', location: '', caveats: [`target = ${name}`] });
  if (!minted.ok) throw new Error(`no macaroon for development: ${minted.reason}`);
  const post = `curl -s -H "X-Api-Key: $KEY"`;
  return `
Paste these into another terminal. ${receiverUrl} stands in for a destination.

  export KEY=${minted.token}
  export RELAY=${relayUrl} DESTINATION=${receiverUrl}
  export EXPORT_RELAY_URL=$RELAY EXPORT_RELAY_MACAROON=$KEY

  # submit: the answer begins with the id of the job
  ANSWER=$(${post} $RELAY/export -d '{"id":"","uri":"'$DESTINATION'","data":"{\\"hello\\":\\"world\\"}"}')
  echo "$ANSWER"; ID=$(echo "$ANSWER" | cut -d '"' -f 4)

  # poll: the state as it is
  ${post} $RELAY/export -d "{\\"id\\":\\"$ID\\"}"; echo

  # long poll: the answer comes when the job is finished
  ${post} "$RELAY/lp/export?until=Finished" -d "{\\"id\\":\\"$ID\\"}"; echo

`;
}
