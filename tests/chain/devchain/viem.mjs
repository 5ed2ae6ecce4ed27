// Conformance with viem, over HTTP: `node viem.mjs <viem folder> <rpc url>`, the request as JSON on standard input.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [modules, url] = process.argv.slice(2)
const { abi, bytecode, key, genesis } = JSON.parse(readFileSync(0, 'utf8'))
const require = createRequire(join(modules, 'package.json'))
const load = (name) => import(pathToFileURL(require.resolve(name)).href)
const viem = (await load('viem')).default ?? (await load('viem'))
const { foundry } = await load('viem/chains')
const { privateKeyToAccount } = await load('viem/accounts')

const chain = { ...foundry, rpcUrls: { default: { http: [url] } } }
const transport = viem.http(url, { retryCount: 0 })
const reader = viem.createPublicClient({ chain, transport, pollingInterval: 20 })
const account = privateKeyToAccount(key)
const writer = viem.createWalletClient({ account, chain, transport })
const unlocked = viem.createWalletClient({ account: account.address, chain, transport })
const poor = '0x7777777777777777777777777777777777777777'
const mined = (hash) => reader.waitForTransactionReceipt({ hash })

const checks = {
  async 'identity, blocks and balances'() {
    assert.equal(await reader.getChainId(), 31337)
    assert.equal((await reader.getBlock({ blockNumber: 0n })).hash, genesis)
    assert.equal((await reader.getBlock({ blockHash: genesis })).number, 0n)
    assert.equal((await reader.getBlock({ blockTag: 'pending' })).hash, null)
    assert.equal(await reader.getBalance({ address: account.address }), viem.parseEther('10000'))
  },

  async 'legacy, access-list and dynamic-fee sends'() {
    const kinds = ['legacy', 'eip2930', 'eip1559']
    for (const type of kinds) {
      const receipt = await mined(await writer.sendTransaction({ to: poor, value: 1n, type, accessList: type === 'eip2930' ? [] : undefined }))
      assert.equal(receipt.status, 'success')
      assert.equal(receipt.type, type)
      assert.equal((await reader.getTransaction({ hash: receipt.transactionHash })).blockHash, receipt.blockHash)
    }
    assert.equal((await mined(await unlocked.sendTransaction({ to: poor, value: 1n }))).status, 'success')
    assert.equal(await reader.getBalance({ address: poor }), 4n)
    assert.equal(await reader.getTransactionCount({ address: account.address, blockTag: 'pending' }), 4)
  },

  async 'creation, calls, estimates and logs'() {
    const { contractAddress: address, blockNumber } = await mined(await writer.deployContract({ abi, bytecode }))
    const contract = { address, abi }
    await mined(await writer.writeContract({ ...contract, functionName: 'store', args: [41n] }))
    const noted = await mined(await writer.writeContract({ ...contract, functionName: 'note', args: [7n, 70n] }))
    assert.equal(await reader.readContract({ ...contract, functionName: 'stored', account: poor }), 41n)
    assert.equal(await reader.readContract({ ...contract, functionName: 'stored', blockNumber }), 0n)
    const gas = await reader.estimateContractGas({ ...contract, functionName: 'store', args: [5n], account })
    assert.ok(gas > 21000n && gas < 60000n, `estimate ${gas}`)
    const queries = [{ fromBlock: 0n, toBlock: 'latest' }, { blockHash: noted.blockHash }, { fromBlock: 0n, args: { key: 7n } }]
    for (const query of queries) {
      const logs = await reader.getContractEvents({ ...contract, eventName: 'Noted', ...query })
      assert.deepEqual(logs.map((log) => log.args), [{ key: 7n, value: 70n }])
      assert.equal(logs[0].transactionHash, noted.transactionHash)
    }
    assert.deepEqual(await reader.getContractEvents({ ...contract, fromBlock: 0n, args: { key: 8n }, eventName: 'Noted' }), [])

    await assert.rejects(reader.simulateContract({ ...contract, functionName: 'fail', args: [7n, 3n], account }), (error) => {
      const revert = error.walk((cause) => cause instanceof viem.ContractFunctionRevertedError)
      assert.equal(revert.data.errorName, 'Broken')
      assert.deepEqual(revert.data.args, [7n, 3n])
      return true
    })
  },

  async 'refusals'() {
    await assert.rejects(writer.sendTransaction({ to: poor, value: 1n, nonce: 0, gas: 21000n }), (error) => {
      assert.ok(error.walk((cause) => cause instanceof viem.NonceTooLowError) instanceof viem.NonceTooLowError)
      return true
    })
    await assert.rejects(writer.sendTransaction({ to: poor, value: viem.parseEther('20000'), gas: 21000n }), (error) => {
      assert.ok(error.walk((cause) => cause instanceof viem.InsufficientFundsError) instanceof viem.InsufficientFundsError)
      return true
    })
  },
}

for (const [name, check] of Object.entries(checks)) {
  await check()
  console.log(name)
}
