/**
 * The bot. The process that is started keeps the clusters; `discord-hybrid-sharding` runs the same
 * file once more for each cluster, and says so in its environment.
 */
import { runBot } from './run-bot.ts';
import { runCluster } from './run-cluster.ts';

const environment = process.env;

await (environment.CLUSTER_MANAGER_MODE === undefined ? runBot : runCluster)(environment);
