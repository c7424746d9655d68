module.exports = require('../../jest.package.cjs')('send-api');
