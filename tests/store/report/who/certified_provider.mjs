// A certified OpenID provider (oidc-provider of npm) with any user that is asked for.
// Arguments: where oidc-provider is installed, the client's id, its secret, where it comes back to.
// The first line that it prints is its port.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, client, secret, back] = process.argv.slice(2);
const library = createRequire(`${folder}/`).resolve("oidc-provider");
const { Provider } = await import(pathToFileURL(library));

const roles = { berta: ["support"], carl: ["other"] };
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{
      client_id: client,
      client_secret: secret,
      redirect_uris: [back],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    }],
    pkce: { required: () => true },
    conformIdTokenClaims: false, // the claims go into the ID token, as Keycloak and Entra have it
    claims: { openid: ["sub"], profile: ["preferred_username", "roles"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: `id-${id}`, preferred_username: id, roles: roles[id] }),
    }),
  });
  server.on("request", provider.callback());
  console.log(port);
});
