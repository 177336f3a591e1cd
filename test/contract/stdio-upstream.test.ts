import { openStdio } from '../fakes/stdio-upstream.ts'
import { describeUpstream } from './upstream.ts'

describeUpstream('over stdio, a process per session', async () => openStdio())
