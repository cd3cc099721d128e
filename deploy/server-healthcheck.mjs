/** Exit 0 when the server of this container answers /readyz; with TLS on, its certificate is for another name than 127.0.0.1. */
import http from 'node:http'
import https from 'node:https'

const port = process.env.IAC_SERVER_LISTEN.split(':').at(-1)
const options = { host: '127.0.0.1', port, path: '/readyz', timeout: 4000, rejectUnauthorized: false }
const { get } = process.env.IAC_SERVER_TLS_CERT_FILE ? https : http

get(options, (response) => {
  response.resume()
  process.exitCode = response.statusCode === 200 ? 0 : 1
})
  .on('timeout', function () {
    this.destroy(new Error('no answer within 4 s'))
  })
  .on('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
