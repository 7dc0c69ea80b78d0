// An OpenID provider for one machine: oidc-provider with demo users, a client for
// the dashboard and clients for programs, all of the options. It has keys of its own
// that go with it, and remembers nothing beyond its end.

import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';

// It warns of what is meant so here: that it keeps all in memory, and of Node 20, on which the
// tests show that it works.
console.warn = console.info = () => {};
const { default: Provider } = await import('oidc-provider');

const { url, pages, clientId, audience, users, programs, lifetime } = JSON.parse(process.argv[1]);
const day = 24 * 60 * 60; // seconds
const partnerOf = new Map([...users.map((u) => [u.login, u.partner]), ...programs.map((p) => [p.id, p.partner])]);

const server = createServer();
server.on('error', (error) => { console.error(error.message); process.exit(1); });
server.listen(0, '127.0.0.1', () => {
  const own = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url || own, configuration());
  const answer = provider.callback();
  server.on('request', (request, response) => {
    const step = /^\/interaction\/[\w-]+(\/login|\/cancel)?$/.exec(request.url);
    if (step) interact(provider, request, response, step[1]).catch((error) => expired(response, error));
    else answer(request, response);
  });
  console.log(own);
});
const end = () => { server.closeAllConnections(); process.exit(0); };
process.stdin.on('end', end).on('error', end).resume();

function configuration() {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const accessToken = (resource) => {
    if (resource !== audience) throw new Error(`there is no API ${resource}`);
    return { audience, scope: '', accessTokenFormat: 'jwt', accessTokenTTL: lifetime, jwt: { sign: { alg: 'ES256' } } };
  };
  return {
    jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig', kid: randomBytes(6).toString('hex') }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: [
      {
        client_id: clientId, token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'], redirect_uris: pages, post_logout_redirect_uris: pages,
      },
      ...programs.map(({ id, secret }) => ({
        client_id: id, client_secret: secret, grant_types: ['client_credentials'], response_types: [], redirect_uris: [],
      })),
    ],
    claims: { openid: ['sub'], profile: ['name'] },
    conformIdTokenClaims: false, // so that the ID token has the name
    clientBasedCORS: (ctx, origin) => pages.some((page) => new URL(page).origin === origin),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: (ctx, resource) => accessToken(resource) },
      rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource: (ctx) => { ctx.body = document('You are signed out', ''); } },
    },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount(ctx, login) {
      const user = users.find((u) => u.login === login);
      return user && { accountId: login, claims: () => ({ sub: login, name: user.name }) };
    },
    extraTokenClaims: (ctx, token) => ({ partner_id: partnerOf.get(token.accountId ?? token.clientId) }),
    // Nobody is asked for consent: the page is the platform's own.
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid profile offline_access');
      await grant.save();
      return grant;
    },
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    ttl: { AccessToken: lifetime, ClientCredentials: lifetime, AuthorizationCode: 60, IdToken: 3600, Interaction: 3600, Grant: day, RefreshToken: day, Session: day },
    renderError(ctx, { error, error_description: description }) {
      ctx.type = 'html';
      ctx.body = document('This cannot be done', `<p>${escape(error)}: ${escape(description ?? '')}</p>`);
    },
  };
}

// The steps of signing in: the form, what was entered, and the way back.
async function interact(provider, request, response, step) {
  const { uid, params } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') return show(response, signInPage(uid, ''));
  if (step === '/cancel') return provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'the person cancelled' });
  const entered = new URLSearchParams(await body(request));
  const user = users.find((u) => u.login === entered.get('login') && u.password === entered.get('password'));
  if (!user) return show(response, signInPage(uid, 'There is no such user, or the password is another.'));
  return provider.interactionFinished(request, response, { login: { accountId: user.login, remember: params.prompt !== 'none' } });
}

function expired(response, error) {
  show(response, document('This sign-in has run out', `<p>${escape(error.message)}</p><p><a href="${escape(pages[0])}">Back to Partnerview</a></p>`), 400);
}

async function body(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 10_000) throw new Error('too much was entered');
  }
  return text;
}

// Who comes with the ID token that we made is the person themselves, and is asked no more.
function logoutSource(ctx, form) {
  const sure = ctx.oidc.entities.IdTokenHint !== undefined;
  ctx.body = document('Sign out', `<p>Do you want to sign out of the demo issuer?</p>${form}<button name="logout" value="yes" form="op.logoutForm">Sign out</button>
${sure ? '<script>document.querySelector("button").click()</script>' : ''}`);
}

function signInPage(uid, fault) {
  return document('Demo issuer', `<p>A stand-in for the place where your people sign in.</p>
${fault && `<p role="alert" class="fault">${fault}</p>`}
<form method="post" action="/interaction/${uid}/login">
<label for="login">User</label><input id="login" name="login" autocomplete="username" required>
<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Sign in</button>
</form>
<form method="post" action="/interaction/${uid}/cancel"><button class="plain">Cancel</button></form>
<h2>Demo users</h2>
<dl>${users.map((u) => `<div><dt>${escape(u.login)}</dt><dd>${escape(u.password)}</dd></div>`).join('')}</dl>`);
}

function show(response, page, status = 200) {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }).end(page);
}

function document(title, content) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; background: Canvas; color: CanvasText; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 22rem; margin: 10vh auto; padding: 0 1rem; }
form { display: grid; gap: .5rem; margin: 1rem 0 .5rem; }
input, button { font: inherit; padding: .6rem .75rem; border: 1px solid #767c88; border-radius: 6px; }
button { background: #17603f; color: #fff; border-color: transparent; cursor: pointer; }
button.plain { background: none; color: inherit; border-color: #767c88; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
dl { margin: 0; } dl div { display: flex; justify-content: space-between; gap: 1rem; } dd { margin: 0; font-family: monospace; }
.fault { color: #b3261e; } @media (prefers-color-scheme: dark) { .fault { color: #ff9d92; } }
</style></head><body><main><h1>${title}</h1>${content}</main></body></html>`;
}

function escape(text) {
  return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
