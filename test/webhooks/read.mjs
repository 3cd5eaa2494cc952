// Reads requests from standard input, one JSON object a line: {secret, headers, body}. Answers a line for each: whether the
// library of Standard Webhooks takes the signature, and what the library of CloudEvents reads in the body.
import {createInterface} from 'node:readline';
import {Webhook} from 'standardwebhooks';
import {HTTP} from 'cloudevents';

const tried = (f) => {
  try {
    return {value: f()};
  } catch (e) {
    return {error: String(e.message ?? e)};
  }
};

for await (const line of createInterface({input: process.stdin})) {
  const {secret, headers, body} = JSON.parse(line);
  const signed = tried(() => Boolean(new Webhook(secret).verify(body, headers)));
  const event = tried(() => {
    const e = HTTP.toEvent({headers, body});
    e.validate();
    return e;
  });
  console.log(JSON.stringify({signed, event}));
}
