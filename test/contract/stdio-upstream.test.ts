import { openStdio } from '../fakes/stdio-upstream.ts'
import { describeUpstream } from './upstream.ts'

describeUpstream('over stdio, a process per session', async () => openStdio())

describeUpstream(
  'over stdio, one process for all',
  async () => openStdio({ instances: 'shared' }),
  {
    asking: 'a shared pipe does not say which session a question is for, so it is declined',
  },
)
