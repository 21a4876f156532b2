/* One person at a client made of matrix-js-sdk: asked by JSON lines on standard input, answers and tells news on standard output.

   node member.mjs PACKAGES HOMESERVER USER PASSWORD

   {"id": 1, "do": "join", "room": "!x", "via": ["a"]}   is answered by   {"id": 1, "answer": ...}   or   {"id": 1, "refused": {status, errcode, message}}
   Every event that comes by /sync is told as {"event": ...}, every change of one's own membership as {"membership": ..., "room": ...}.
   It ends when standard input does. */

import { Console } from "node:console";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [packages, baseUrl, user, password] = process.argv.slice(2);
globalThis.console = new Console(process.stderr); // the SDK logs; standard output is ours
const sdk = await import(pathToFileURL(createRequire(join(packages, "package.json")).resolve("matrix-js-sdk")));

const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

async function signedIn() {
    const { user_id, access_token, device_id } = await sdk
        .createClient({ baseUrl })
        .login("m.login.password", { identifier: { type: "m.id.user", user }, password });
    const client = sdk.createClient({
        baseUrl,
        userId: user_id,
        accessToken: access_token,
        deviceId: device_id,
        store: new sdk.MemoryStore(),
    });
    client.on("event", (event) => tell({ event: event.getEffectiveEvent(), room: event.getRoomId() }));
    client.on("Room.myMembership", (room, membership) => tell({ membership, room: room.roomId }));
    const prepared = new Promise((resolve) => {
        client.on("sync", (state) => state === "PREPARED" && resolve());
    });
    await client.startClient({ initialSyncLimit: 20, threadSupport: true });
    await prepared;
    return client;
}

const client = await signedIn();

/* The rooms of a space and through which servers they are reached, as a client reads them from the space's state. */
function children(space) {
    const listed = client.getRoom(space)?.currentState.getStateEvents("m.space.child") ?? [];
    return listed
        .filter((child) => Array.isArray(child.getContent().via))
        .map((child) => ({ room: child.getStateKey(), ...child.getContent() }));
}

const able = {
    knock: ({ room, via, reason }) => client.knockRoom(room, { viaServers: via, reason }),
    join: ({ room, via }) => client.joinRoom(room, { viaServers: via }).then((joined) => joined.roomId),
    leave: ({ room }) => client.leave(room),
    chat: ({ user }) =>
        client
            .createRoom({ preset: sdk.Preset.TrustedPrivateChat, invite: [user], is_direct: true })
            .then((made) => made.room_id),
    say: ({ room, text }) => client.sendTextMessage(room, text).then((sent) => sent.event_id),
    reply_in_thread: ({ room, root, text }) =>
        client.sendMessage(room, root, { msgtype: "m.text", body: text }).then((sent) => sent.event_id),
    react: ({ room, event, key }) =>
        client
            .sendEvent(room, "m.reaction", {
                "m.relates_to": { rel_type: "m.annotation", event_id: event, key },
            })
            .then((sent) => sent.event_id),
    children: ({ space }) => children(space),
    hierarchy: ({ space }) => client.getRoomHierarchy(space).then((found) => found.rooms),
    may_speak: ({ room }) => client.getRoom(room).maySendMessage(),
    membership: ({ room }) => client.getRoom(room)?.getMyMembership() ?? "",
};

async function answer({ id, do: what, ...words }) {
    try {
        tell({ id, answer: (await able[what](words)) ?? null });
    } catch (error) {
        const { httpStatus = 0, errcode = "", message } = error;
        tell({ id, refused: { status: httpStatus, errcode, message } });
    }
}

tell({ id: 0, answer: client.getUserId() });
for await (const line of createInterface({ input: process.stdin })) {
    void answer(JSON.parse(line));
}
process.exit(0);
