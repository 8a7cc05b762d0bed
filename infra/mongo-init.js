// Run by mongosh in compose.yaml: makes the replica set of three and the user of Watchpost. Safe to run again.
const members = ['mongo1:27017', 'mongo2:27017', 'mongo3:27017'];
const password = process.env.MONGO_PASSWORD;

function untilItWorks(what, seconds, work) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (Date.now() > end) throw new Error(`${what}: ${error.codeName ?? error.message}`);
      sleep(1000);
    }
  }
}

const root = encodeURIComponent(process.env.MONGO_ROOT_PASSWORD);
// The image first runs a server that listens for itself only, to make the administrator.
const first = untilItWorks('mongo1 does not answer', 60, () =>
  connect(`mongodb://root:${root}@${members[0]}/admin?directConnection=true`),
);

try {
  first.adminCommand({ replSetGetStatus: 1 });
  print('The replica set is there.');
} catch (error) {
  if (error.codeName !== 'NotYetInitialized') throw error;
  const config = { _id: 'rs0', members: members.map((host, at) => ({ _id: at, host })) };
  untilItWorks('The replica set cannot be made', 60, () => first.adminCommand({ replSetInitiate: config }));
  print('The replica set is made.');
}

const primary = untilItWorks('No member becomes the primary', 90, () => {
  const set = connect(`mongodb://root:${root}@${members.join(',')}/admin?replicaSet=rs0`);
  if (!set.hello().isWritablePrimary) throw new Error('not yet');
  return set.getSiblingDB('watchpost');
});

const roles = [{ role: 'readWrite', db: 'watchpost' }];
if (primary.getUser('watchpost') === null) {
  primary.createUser({ user: 'watchpost', pwd: password, roles });
  print('The user of Watchpost is made.');
} else {
  // A password changed in .env is changed here too.
  primary.updateUser('watchpost', { pwd: password, roles });
  print('The user of Watchpost is there.');
}
